/**
 * Whether a tuned model prefers better answers. Open {@link io.peft4j.eval.preference.PreferenceComparison} first; its
 * result is a {@link io.peft4j.eval.preference.PreferenceReport}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.eval.preference;
