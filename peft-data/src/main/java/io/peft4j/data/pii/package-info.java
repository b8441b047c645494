/**
 * Finds and redacts personal data. Open {@link io.peft4j.data.pii.PiiDetector} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.pii;
