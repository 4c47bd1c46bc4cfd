// Command pricing tells what each item costs, in cents.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os/signal"
	"syscall"
)

var prices = map[string]int{
	"rope":    1250,
	"anchor":  9900,
	"lantern": 3400,
}

func main() {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /prices", func(response http.ResponseWriter, _ *http.Request) {
		response.Header().Set("content-type", "application/json")
		_ = json.NewEncoder(response).Encode(prices)
	})
	routes.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})

	server := &http.Server{Addr: ":8080", Handler: routes}
	stopped, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	go func() {
		<-stopped.Done()
		_ = server.Shutdown(context.Background())
	}()
	log.Println("pricing listens on 8080")
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}
