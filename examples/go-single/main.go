package main

import (
	"fmt"
	"log"
	"net/http"
	"os"

	"rsc.io/quote"
)

func main() {
	greeting, err := os.ReadFile("greeting.txt")
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s%s\n", greeting, quote.Hello())
	})
	log.Fatal(http.ListenAndServe(":8080", nil))
}
