package io.peft4j.data.pii;

/**
 * Personal data in a text.
 *
 * @param kind what it is
 * @param start index of its first character
 * @param end index after its last character
 */
public record PiiMatch(PiiKind kind, int start, int end) {
}
