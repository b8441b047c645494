/**
 * Typed questions on rows that were kept apart: {@link io.peft4j.eval.decision.CalibrationFit} fits probabilities to
 * them. {@link io.peft4j.eval.head.TaskComparison} compares a tuned model with its base on them.
 */
@NullMarked
package io.peft4j.eval.decision;

import org.jspecify.annotations.NullMarked;
