package httpapi

import (
	_ "embed"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/swaggest/swgui/v5/static"
	"github.com/vearutop/statigz"
)

//go:embed docs/index.html
var docsPage []byte

//go:embed docs/start.js
var docsScript []byte

// docsPolicy lets the pages load what this server has and nothing else. Images may also stand in
// the style sheet itself.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// serveDocs adds the pages that show the document to people: Swagger UI, from within the binary.
func serveDocs(router gin.IRouter) {
	page := newAsset("text/html; charset=utf-8", docsPage)
	script := newAsset("text/javascript; charset=utf-8", docsScript)
	assets := http.StripPrefix("/docs/assets", statigz.FileServer(static.FS))
	docs := router.Group("/docs", func(c *gin.Context) {
		c.Header("Content-Security-Policy", docsPolicy)
		c.Header("Referrer-Policy", "no-referrer")
	})
	docs.GET("", page.write)
	docs.GET("/start.js", script.write)
	docs.GET("/assets/*file", func(c *gin.Context) { assets.ServeHTTP(c.Writer, c.Request) })
}
