package console

import (
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/workingagents/gatehouse/internal/console/door"
)

// Door lets browsers in. A *door.Door is one.
type Door interface {
	Link(who string) (token string, ends time.Time)
	Enter(token string) (p door.Pass, who string, err error)
	Who(p door.Pass) (who string, ok bool)
	Leave(p door.Pass) error
}

// pageHeader carries the page's word, without which the cookie proves nothing.
const pageHeader = "Gatehouse-Page"

// cookieName has the port in it, so that several gateways on a host don't put
// each other's visitors out.
func cookieName(r *http.Request) string {
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		return "gatehouse_" + port
	}
	return "gatehouse"
}

func pass(r *http.Request) door.Pass {
	c, err := r.Cookie(cookieName(r))
	if err != nil {
		return door.Pass{}
	}
	return door.Pass{Cookie: c.Value, Page: r.Header.Get(pageHeader)}
}

// visitor tells who looks through a browser.
func (c *Console) visitor(r *http.Request) (who string, ok bool) {
	if c.o.Door == nil {
		return "", false
	}
	return c.o.Door.Who(pass(r))
}

// NewLink is a link that lets one browser in, once.
type NewLink struct {
	Link string    `json:"link"`
	Ends time.Time `json:"ends"`
}

// Link makes a link to the page by which one browser gets in as who. It is
// empty where there is no address to link to.
func (c *Console) Link(who string) NewLink {
	if c.o.Door == nil || c.o.About.Console == "" {
		return NewLink{}
	}
	token, ends := c.o.Door.Link(who)
	return NewLink{"http://" + dialled(c.o.About.Console) + "/login#" + token, ends}
}

// link is for who has the socket or the token: a visitor can't let others in.
func (c *Console) link(w http.ResponseWriter, r *http.Request) error {
	if callerOf(r).visitor {
		return refuse(http.StatusForbidden, "visitor", "who came by a link can't make others: `gatehouse open` makes them, on the command line")
	}
	made := c.Link(who(r))
	if made.Link == "" {
		return refuse(http.StatusConflict, "no_console", "the gateway serves no page: start it with --console ADDR")
	}
	return writeJSON(w, http.StatusCreated, made)
}

// Visit is what a browser gets for a link, beside its cookie.
type Visit struct {
	Who  string `json:"who"`
	Page string `json:"page"` // to be said in the header Gatehouse-Page with every call
}

type loginBody struct {
	Token string `json:"token"`
}

// login makes a visit of a link. That somebody came is recorded first: when it
// can't be, nobody gets in, and the link is used up.
func (c *Console) login(w http.ResponseWriter, r *http.Request) error {
	var in loginBody
	if err := strictly(w, r, &in, `{"token": what stands behind # in the link}`); err != nil {
		return err
	}
	if c.o.Door == nil {
		return door.ErrLink
	}
	p, who, err := c.o.Door.Enter(in.Token)
	if err != nil {
		return err
	}
	if err := c.o.Ledger.Admin("console.login", "a one-time link was opened", map[string]string{"who": who}); err != nil {
		return errors.Join(err, c.o.Door.Leave(p))
	}
	http.SetCookie(w, cookie(r, p.Cookie, 0))
	return writeJSON(w, http.StatusOK, Visit{who, p.Page})
}

func (c *Console) logout(w http.ResponseWriter, r *http.Request) error {
	if c.o.Door != nil {
		if err := c.o.Door.Leave(pass(r)); err != nil {
			return err
		}
	}
	http.SetCookie(w, cookie(r, "", -1))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func cookie(r *http.Request, value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: cookieName(r), Value: value, MaxAge: age, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
	}
}
