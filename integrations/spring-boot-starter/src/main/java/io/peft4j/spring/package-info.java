/**
 * Base models and adapters in Spring Boot applications, behind Spring AI's interfaces. Open
 * {@link io.peft4j.spring.PeftProperties} for what can be set and {@link io.peft4j.models.PeftAdapters} for what
 * serves.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.spring;
