package com.example;

public class Greet {
    public static void main(String[] words) {
        System.out.println("Hello, " + String.join(" ", words));
    }
}
