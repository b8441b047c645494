/**
 * Finds and redacts personal data. Open {@link io.peft4j.data.pii.PiiDetector} first.
 */
package io.peft4j.data.pii;
