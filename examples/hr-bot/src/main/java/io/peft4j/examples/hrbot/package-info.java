/** A Spring Boot application that answers questions about a handbook: {@link io.peft4j.examples.hrbot.HrBot}. */
package io.peft4j.examples.hrbot;
