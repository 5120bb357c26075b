// Clock tells what time it was in a zone at a given moment.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

func at(zone string, moment int64) (string, error) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		return "", err
	}
	return time.Unix(moment, 0).In(location).Format(time.RFC1123Z), nil
}

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		text, err := at(strings.TrimPrefix(r.URL.Path, "/"), 1700000000)
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		fmt.Fprintln(w, text)
	})
	log.Fatal(http.ListenAndServe(os.Getenv("LISTEN"), nil))
}
