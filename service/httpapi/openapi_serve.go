package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
)

// asset is a file that never changes while the program runs.
type asset struct {
	contentType, etag string
	raw               []byte
}

func newAsset(contentType string, raw []byte) *asset {
	sum := sha256.Sum256(raw)
	return &asset{contentType: contentType, etag: `"` + hex.EncodeToString(sum[:16]) + `"`, raw: raw}
}

// write answers with the asset, or says that the client has it already.
func (a *asset) write(c *gin.Context) {
	c.Header("ETag", a.etag)
	c.Header("Cache-Control", "no-cache")
	c.Header("X-Content-Type-Options", "nosniff")
	if strings.Contains(c.GetHeader("If-None-Match"), a.etag) {
		c.Status(http.StatusNotModified)
		return
	}
	c.Data(http.StatusOK, a.contentType, a.raw)
}

// serveDocument adds the document and the pages that show it. Neither needs a credential, and the
// document is built once, when somebody asks for it.
func (a *api) serveDocument(router gin.IRouter) {
	built := sync.OnceValues(func() (*asset, error) {
		raw, err := document(a.routes())
		return newAsset("application/json", raw), err
	})
	router.GET("/openapi.json", func(c *gin.Context) {
		doc, err := built()
		if err != nil {
			a.writeProblem(c, a.head(c), "document", err)
			return
		}
		doc.write(c)
	})
	serveDocs(router)
}
