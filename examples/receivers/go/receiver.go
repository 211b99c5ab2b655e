// Receives webhooks of httpsms with nothing but Go's standard library.
//
//	HTTPSMS_WEBHOOK_SIGNING_KEY='...' go run .
//
// HTTPSMS_VERIFY says by what a request is known: "standard", the headers of Standard Webhooks
// (default), or "jwt", the token in Authorization. HTTPSMS_WEBHOOK_SIGNING_KEY_NEXT is a second key
// that is right too, while a new one takes over. HOST and PORT say where to listen: 127.0.0.1 and
// 9000.
package main

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	tolerance  = 5 * time.Minute // that the clocks of both sides may be apart
	largest    = 1 << 20         // bytes of a body
	remembered = 10_000          // ids of events
)

// Event is what every request carries, a CloudEvent.
type Event struct {
	ID     string          `json:"id"`
	Type   string          `json:"type"`
	Source string          `json:"source"`
	Time   time.Time       `json:"time"`
	Test   bool            `json:"test"`
	Data   json.RawMessage `json:"data"`
}

// handle is your work. It may take its time: the answer has left.
func handle(event Event) {
	fmt.Println(event.Type, event.ID)
}

// verify says why a request is not from the server, or not from now.
type verify func(keys []string, header http.Header, body []byte, now time.Time) error

// verifyStandard: webhook-signature has a `v1,` and an HMAC of id, time and body for each key that
// is valid.
func verifyStandard(keys []string, header http.Header, body []byte, now time.Time) error {
	id, sent := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(sent, 10, 64)
	if id == "" || err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return errors.New("no webhook-id, or a webhook-timestamp that is not of now")
	}
	for _, key := range keys {
		secret := []byte(key)
		// A key that begins so is the base64 of the HMAC's key; any other is the key itself.
		if encoded, found := strings.CutPrefix(key, "whsec_"); found {
			secret, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
			if err != nil {
				return errors.New("the signing key is not base64 after whsec_")
			}
		}
		tag := sum(secret, id+"."+sent+".", string(body))
		expected := []byte("v1," + base64.StdEncoding.EncodeToString(tag))
		for _, signature := range strings.Fields(header.Get("webhook-signature")) {
			if hmac.Equal(expected, []byte(signature)) {
				return nil
			}
		}
	}
	return errors.New("no signature of ours in webhook-signature")
}

// verifyJWT: Authorization has a JWT, signed with HS256 and the key as it was typed.
func verifyJWT(keys []string, header http.Header, body []byte, now time.Time) error {
	scheme, token, _ := strings.Cut(header.Get("authorization"), " ")
	parts := strings.Split(token, ".")
	if !strings.EqualFold(scheme, "Bearer") || len(parts) != 3 || !signedByOne(keys, parts) {
		return errors.New("no token of ours in Authorization")
	}
	// Only now is it worth reading.
	var head struct{ Alg string }
	var claims struct {
		Iss      string
		Exp, Nbf float64
		Body     *string
	}
	if err := errors.Join(read(parts[0], &head), read(parts[1], &claims)); err != nil {
		return err
	}
	seconds := float64(now.UnixMilli()) / 1000
	ofNow := claims.Nbf <= seconds && seconds < claims.Exp
	if head.Alg != "HS256" || claims.Iss != "api.httpsms.com" || claims.Nbf == 0 || !ofNow {
		return errors.New("the token is not of the server, or not of now")
	}
	// A webhook with `sign_body` vouches for the body too.
	digest := sha256.Sum256(body)
	if claims.Body != nil && *claims.Body != base64.RawURLEncoding.EncodeToString(digest[:]) {
		return errors.New("the token is of another body")
	}
	return nil
}

func signedByOne(keys, parts []string) bool {
	for _, key := range keys {
		tag := sum([]byte(key), parts[0], ".", parts[1])
		if hmac.Equal([]byte(base64.RawURLEncoding.EncodeToString(tag)), []byte(parts[2])) {
			return true
		}
	}
	return false
}

func sum(key []byte, parts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		io.WriteString(mac, part)
	}
	return mac.Sum(nil)
}

func read(part string, into any) error {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// Inbox is what was taken and waits for its work; and which events were taken.
//
// In earnest this is a table with the event's id as its key: insert the event, then answer.
type Inbox struct {
	lock    sync.Mutex
	known   map[string]bool
	oldest  []string
	waiting chan Event
}

// take tells whether the event is new.
func (inbox *Inbox) take(event Event) (bool, error) {
	inbox.lock.Lock()
	defer inbox.lock.Unlock()
	if inbox.known[event.ID] {
		return false, nil
	}
	select {
	case inbox.waiting <- event:
	default:
		return false, errors.New("too much waits")
	}
	inbox.known[event.ID] = true
	inbox.oldest = append(inbox.oldest, event.ID)
	if len(inbox.oldest) > remembered {
		delete(inbox.known, inbox.oldest[0])
		inbox.oldest = inbox.oldest[1:]
	}
	return true, nil
}

func (inbox *Inbox) work() {
	for event := range inbox.waiting {
		handle(event)
	}
}

func receive(keys []string, verify verify, inbox *Inbox) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largest))
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		if err := verify(keys, r.Header, body, time.Now()); err != nil {
			log.Print("refused: ", err)
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		var event Event
		if err := json.Unmarshal(body, &event); err != nil || event.ID == "" {
			http.Error(w, "not an event", http.StatusBadRequest)
			return
		}
		switch isNew, err := inbox.take(event); {
		case err != nil:
			http.Error(w, "try again", http.StatusServiceUnavailable)
		case isNew:
			io.WriteString(w, "taken")
		default:
			io.WriteString(w, "known")
		}
	}
}

func main() {
	var keys []string
	for _, suffix := range []string{"", "_NEXT"} {
		if key := os.Getenv("HTTPSMS_WEBHOOK_SIGNING_KEY" + suffix); key != "" {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		log.Fatal("HTTPSMS_WEBHOOK_SIGNING_KEY is not set")
	}
	choices := map[string]verify{"": verifyStandard, "standard": verifyStandard, "jwt": verifyJWT}
	chosen, found := choices[os.Getenv("HTTPSMS_VERIFY")]
	if !found {
		log.Fatal("HTTPSMS_VERIFY is neither standard nor jwt")
	}
	inbox := &Inbox{known: map[string]bool{}, waiting: make(chan Event, 1000)}
	go inbox.work()

	http.Handle("POST /webhook", receive(keys, chosen, inbox))
	host, port := cmp.Or(os.Getenv("HOST"), "127.0.0.1"), cmp.Or(os.Getenv("PORT"), "9000")
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	server := &http.Server{ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}
