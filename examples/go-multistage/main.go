package main

/*
#cgo LDFLAGS: -lsqlite3
const char *sqlite3_libversion(void);
*/
import "C"

import "fmt"

func main() {
	fmt.Println("notes with SQLite", C.GoString(C.sqlite3_libversion()))
}
