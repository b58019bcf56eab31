package config

import (
	"errors"
	"fmt"
	"net"

	"stockyard/service/auth"
)

// Access says who may come in, and over what.
type Access struct {
	// Anonymous is a flag only: a variable could be left over from somewhere.
	Anonymous               bool   `help:"Ask for no credentials, and let everybody do everything. Only where all addresses are loopback ones."`
	OIDCIssuer              string `name:"oidc-issuer" help:"OIDC issuer whose tokens (JWT) are accepted beside API keys; https." env:"STOCKYARD_OIDC_ISSUER" placeholder:"URL"`
	OIDCAudience            string `name:"oidc-audience" help:"Audience that tokens must be made for." env:"STOCKYARD_OIDC_AUDIENCE" placeholder:"NAME"`
	OIDCGrantsClaim         string `name:"oidc-grants-claim" help:"Claim of a token that holds its grants." env:"STOCKYARD_OIDC_GRANTS_CLAIM" default:"stockyard_grants" placeholder:"NAME"`
	AllowUnverifiedDatabase bool   `help:"Connect to database hosts other than this machine without sslmode=verify-full: for networks that keep everybody else out." env:"STOCKYARD_ALLOW_UNVERIFIED_DATABASE"`
}

func (a *Access) check(addresses map[string]string) (errs []error) {
	if a.Anonymous {
		for name, address := range addresses {
			if host, _, err := net.SplitHostPort(address); err == nil && !auth.IsLoopback(host) {
				errs = append(errs, fmt.Errorf("--anonymous lets everybody do everything, and %s %q can be reached from elsewhere: want a loopback address such as 127.0.0.1:8080", name, address))
			}
		}
	}
	if a.OIDCIssuer == "" {
		if a.OIDCAudience != "" {
			errs = append(errs, errors.New("--oidc-audience is of no use without --oidc-issuer"))
		}
		return errs
	}
	if err := auth.CheckIssuer(a.OIDCIssuer); err != nil {
		errs = append(errs, fmt.Errorf("--oidc-issuer: %w", err))
	}
	if a.OIDCAudience == "" {
		errs = append(errs, errors.New("--oidc-audience is required with --oidc-issuer: without it a token made for any other service would do"))
	}
	if a.OIDCGrantsClaim == "" {
		errs = append(errs, errors.New("--oidc-grants-claim is empty"))
	}
	return errs
}
