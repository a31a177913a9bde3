// A sink for races: answers each call with 201 after a delay, and remembers what arrived and when.
//
// The two words on standard output are its address, and another that tells what arrived: there
// GET /count is cheap and may be asked often, GET /story is the whole of it.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"net/http"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

const (
	callPath = "/api/v1/public/call"
	parts    = 100 // /story says when each hundredth part had arrived
)

type sink struct {
	delay  time.Duration
	fail   float64
	status int

	inFlight, peak, connections, requests atomic.Int64

	mu       sync.Mutex
	seen     map[string]bool
	arrivals []int64 // nanoseconds since 1970 at which each accepted call was answered
	failed   int64
	first    int64     // when the first request came
	lags     []float64 // milliseconds from an event's "sent_ns" to its arrival
}

func main() {
	delay := flag.Duration("delay", 0, "before each answer")
	fail := flag.Float64("fail", 0, "share of requests that fail")
	status := flag.Int("status", 503, "what those are answered")
	tls := flag.String("tls", "", "serve HTTPS with a fresh certificate written into this folder")
	flag.Parse()
	s := &sink{delay: *delay, fail: *fail, status: *status, seen: map[string]bool{}}
	calls, told := http.NewServeMux(), http.NewServeMux()
	calls.HandleFunc(callPath, s.call)
	told.HandleFunc("/count", s.count)
	told.HandleFunc("/story", s.story)
	server := &http.Server{Handler: calls, ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}}
	listener, about := listen(), listen()
	go func() { log.Fatal(http.Serve(about, told)) }()
	if *tls == "" {
		fmt.Println(listener.Addr(), about.Addr())
		log.Fatal(server.Serve(listener))
	}
	cert, key := selfSigned(*tls)
	fmt.Println(listener.Addr(), about.Addr())
	log.Fatal(server.ServeTLS(listener, cert, key))
}

func listen() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return listener
}

func (s *sink) call(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	s.requests.Add(1)
	now := s.inFlight.Add(1)
	defer s.inFlight.Add(-1)
	for peak := s.peak.Load(); now > peak && !s.peak.CompareAndSwap(peak, now); {
		peak = s.peak.Load()
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	sent := number(body, `"sent_ns":`)
	lag := float64(time.Now().UnixNano()-sent) / 1e6
	id := text(body, `"call_id":`)
	time.Sleep(s.delay)
	w.Header().Set("Content-Type", "application/json")
	if id == "" {
		w.WriteHeader(422)
		return
	}
	bad := s.fail > 0 && rand.Float64() < s.fail
	s.mu.Lock()
	if s.first == 0 {
		s.first = began.UnixNano()
	}
	if bad {
		s.failed++
	} else {
		s.arrivals = append(s.arrivals, time.Now().UnixNano())
		s.seen[id] = true
		if sent > 0 {
			s.lags = append(s.lags, lag)
		}
	}
	s.mu.Unlock()
	if bad {
		w.WriteHeader(s.status)
		return
	}
	w.WriteHeader(201)
	fmt.Fprintf(w, `{"id":1,"provider_call_id":"%s","is_new":true}`, id)
}

func (s *sink) count(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tell(w, map[string]any{"accepted": len(s.arrivals), "distinct": len(s.seen), "failed": s.failed})
}

func (s *sink) story(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sort.Float64s(s.lags)
	if s.lags == nil {
		s.lags = []float64{}
	}
	times := []int64{}
	for i := 0; i <= parts && len(s.arrivals) > 0; i++ {
		times = append(times, s.arrivals[i*(len(s.arrivals)-1)/parts])
	}
	tell(w, map[string]any{"accepted": len(s.arrivals), "distinct": len(s.seen), "failed": s.failed,
		"first_ns": s.first, "times_ns": times, "lags_ms": s.lags, "peak": s.peak.Load(),
		"connections": s.connections.Load()})
}

func tell(w http.ResponseWriter, what any) {
	if err := json.NewEncoder(w).Encode(what); err != nil {
		log.Print(err)
	}
}

// after gives what follows the first name in body, without spaces.
func after(body []byte, name string) []byte {
	i := bytes.Index(body, []byte(name))
	if i < 0 {
		return nil
	}
	return bytes.TrimLeft(body[i+len(name):], " ")
}

func text(body []byte, name string) string {
	rest := bytes.TrimPrefix(after(body, name), []byte(`"`))
	if end := bytes.IndexByte(rest, '"'); end >= 0 {
		return string(rest[:end])
	}
	return ""
}

func number(body []byte, name string) (n int64) {
	for _, c := range after(body, name) {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int64(c-'0')
	}
	return n
}
