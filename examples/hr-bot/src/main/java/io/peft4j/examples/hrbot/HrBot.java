package io.peft4j.examples.hrbot;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/**
 * Answers questions about a handbook at {@code http://localhost:8080}. What the handbook says is in the adapter
 * {@code adapters/hr}; {@code application.properties} says so.
 */
@SpringBootApplication
public class HrBot {
    /** Starts it. */
    public static void main(String[] args) {
        SpringApplication.run(HrBot.class, args);
    }
}
