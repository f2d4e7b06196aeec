package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/workingagents/gatehouse/test/e2e/rig"
)

// chatService answers what it is told with the same: one message, or each of a
// stream. It counts them in a trailer.
var chatService = grpc.ServiceDesc{
	ServiceName: "agent.v1.Chat", HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Say", Handler: func(_ any, ctx context.Context, read func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		said := new(wrapperspb.StringValue)
		if err := read(said); err != nil {
			return nil, err
		}
		if said.Value == "fail" {
			return nil, status.Error(codes.FailedPrecondition, "as you wish: 100 % – or so")
		}
		return said, grpc.SetTrailer(ctx, metadata.Pairs("x-messages", "1"))
	}}},
	Streams: []grpc.StreamDesc{{StreamName: "Run", ServerStreams: true, ClientStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
		for n := 0; ; n++ {
			said := new(wrapperspb.StringValue)
			if err := s.RecvMsg(said); errors.Is(err, io.EOF) {
				s.SetTrailer(metadata.Pairs("x-messages", fmt.Sprint(n)))
				return nil
			} else if err != nil {
				return err
			}
			if err := s.SendMsg(said); err != nil {
				return err
			}
		}
	}}},
}

// chat runs gRPC's own server, and gives its address and whom to trust.
func chat(t *testing.T) (address, roots string) {
	t.Helper()
	borrowed := httptest.NewUnstartedServer(nil) // for its certificate
	borrowed.StartTLS()
	certificate := borrowed.TLS.Certificates[0]
	roots = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: borrowed.Certificate().Raw}))
	borrowed.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{certificate}})))
	s.RegisterService(&chatService, nil)
	go s.Serve(l)
	t.Cleanup(s.Stop)
	return "https://" + l.Addr().String(), roots
}

// chatClient is gRPC's own client, behind the proxy.
func chatClient(t *testing.T, r *rig.Rig) *grpc.ClientConn {
	t.Helper()
	roots := x509.NewCertPool()
	if made := r.Gatehouse("ca", "export"); !roots.AppendCertsFromPEM([]byte(made.Out)) {
		t.Fatalf("%d %s%s", made.Code, made.Out, made.Err)
	}
	c, err := grpc.NewClient("passthrough:///api.openai.com:443",
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: roots})),
		grpc.WithContextDialer(func(_ context.Context, target string) (net.Conn, error) {
			c, err := connect(strings.TrimPrefix(r.Proxy, "http://"), target)
			if err == nil {
				c.SetDeadline(time.Time{})
			}
			return c, err
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestGRPC: gRPC's own client and server, with the forward proxy between.
func TestGRPC(t *testing.T) {
	provider, roots := chat(t)
	file := filepath.Join(t.TempDir(), "provider.pem")
	put(t, file, roots)
	r := rig.Start(t, rig.Options{
		Upstream: provider, Config: "upstreams:\n  openai: {ca_file: " + file + "}\n",
		Policy: "version: 1\nmode: enforce\nrules:\n  - {rule: secret.*, do: block, why: no keys in chats}\n",
	})
	c := chatClient(t, r)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	t.Run("unary", func(t *testing.T) { unary(ctx, t, c) })
	t.Run("stream", func(t *testing.T) { bidi(ctx, t, c) })
	blockedTwice := func(t *testing.T, err error) {
		t.Helper()
		if s := status.Convert(err); s.Code() != codes.PermissionDenied || !strings.Contains(s.Message(), "no keys in chats") || !strings.Contains(s.Message(), "secret.github") {
			t.Errorf("the client was told %v", err)
		}
	}
	secret := "the token is " + github("grpc")
	t.Run("a blocked call", func(t *testing.T) {
		_, _, err := say(ctx, c, secret)
		blockedTwice(t, err)
	})
	t.Run("a blocked call, compressed", func(t *testing.T) {
		_, _, err := say(ctx, c, secret+strings.Repeat(" and so on", 100), grpc.UseCompressor(gzip.Name))
		blockedTwice(t, err)
	})
	t.Run("a blocked message of a stream", func(t *testing.T) {
		s := run(ctx, t, c)
		echoed(t, s, "hello")
		if err := s.SendMsg(wrapperspb.String(secret)); err != nil {
			t.Fatal(err)
		}
		blockedTwice(t, s.RecvMsg(new(wrapperspb.StringValue)))
	})
	refused := 0
	for _, f := range r.Settled() {
		if f.Entrance != "intercept" || !strings.HasPrefix(f.Path, "/agent.v1.Chat/") {
			t.Errorf("%+v", f)
		}
		if f.State == "refused" {
			refused++
		}
	}
	if refused != 3 {
		t.Errorf("%d flows are refused, want 3", refused)
	}
	r.Sound()
}

// say makes a call of one message.
func say(ctx context.Context, c *grpc.ClientConn, text string, o ...grpc.CallOption) (string, metadata.MD, error) {
	var trailer metadata.MD
	got := new(wrapperspb.StringValue)
	err := c.Invoke(ctx, "/agent.v1.Chat/Say", wrapperspb.String(text), got, append(o, grpc.Trailer(&trailer))...)
	return got.Value, trailer, err
}

func unary(ctx context.Context, t *testing.T, c *grpc.ClientConn) {
	for _, text := range []string{"hello", "", strings.Repeat("long ", 100_000)} {
		got, trailer, err := say(ctx, c, text)
		if err != nil || got != text || strings.Join(trailer["x-messages"], ",") != "1" {
			t.Errorf("%.20q: got %.20q, trailer %v, %v", text, got, trailer, err)
		}
	}
	if got, _, err := say(ctx, c, "packed", grpc.UseCompressor(gzip.Name)); err != nil || got != "packed" {
		t.Errorf("compressed: %q, %v", got, err)
	}
	_, _, err := say(ctx, c, "fail")
	if s := status.Convert(err); s.Code() != codes.FailedPrecondition || s.Message() != "as you wish: 100 % – or so" {
		t.Errorf("the provider's own error came as %v", err)
	}
}

// run begins a stream both ways.
func run(ctx context.Context, t *testing.T, c *grpc.ClientConn) grpc.ClientStream {
	t.Helper()
	s, err := c.NewStream(ctx, &chatService.Streams[0], "/agent.v1.Chat/Run")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// echoed sends a message, and waits for the same.
func echoed(t *testing.T, s grpc.ClientStream, text string) {
	t.Helper()
	if err := s.SendMsg(wrapperspb.String(text)); err != nil {
		t.Fatal(err)
	}
	got := new(wrapperspb.StringValue)
	if err := s.RecvMsg(got); err != nil || got.Value != text {
		t.Fatalf("sent %.20q, got %.20q: %v", text, got.Value, err)
	}
}

func bidi(ctx context.Context, t *testing.T, c *grpc.ClientConn) {
	s := run(ctx, t, c)
	for _, text := range []string{"one", "two", strings.Repeat("three ", 50_000), ""} {
		echoed(t, s, text)
	}
	if err := s.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if err := s.RecvMsg(new(wrapperspb.StringValue)); !errors.Is(err, io.EOF) || strings.Join(s.Trailer()["x-messages"], ",") != "4" {
		t.Errorf("the end: %v, trailer %v", err, s.Trailer())
	}
}
