// Clock tells what time it was, how many authorities the system trusts, and who lives here.
package main

import (
	"crypto/x509"
	"fmt"
	"log"
	"net"
	"os"
	"time"
)

func main() {
	location, err := time.LoadLocation(os.Getenv("ZONE"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(time.Unix(1700000000, 0).In(location).Format(time.RFC1123Z))
	pool, err := x509.SystemCertPool()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(pool.Subjects()) > 100)
	text, err := os.ReadFile("names.txt")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(text))
	addresses, err := net.LookupHost("localhost")
	fmt.Println(len(addresses) > 0, err)
}
