package main

import "testing"

func TestAt(t *testing.T) {
	if text, err := at("UTC", 0); err != nil || text != "Thu, 01 Jan 1970 00:00:00 +0000" {
		t.Fatal(text, err)
	}
}
