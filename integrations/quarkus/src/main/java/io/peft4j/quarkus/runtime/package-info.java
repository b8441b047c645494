/**
 * PEFT4J in Quarkus: beans for {@link io.peft4j.models.PeftAdapters} and LangChain4j's models. Open
 * {@link io.peft4j.quarkus.runtime.PeftConfig} for what can be set.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.quarkus.runtime;
