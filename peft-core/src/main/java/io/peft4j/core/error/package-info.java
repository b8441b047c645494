/**
 * The exceptions that this library throws on its own account. Open {@link io.peft4j.core.error.PeftException} first:
 * one {@code catch} of it takes all of them. Trouble of the disk or of the network is a {@link
 * java.io.UncheckedIOException} instead. Every message says what was asked, what exists and what to change.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.error;
