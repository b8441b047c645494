/**
 * Where a tuned model fails, and what to collect next. Open {@link io.peft4j.eval.failure.FailureReport} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.eval.failure;
