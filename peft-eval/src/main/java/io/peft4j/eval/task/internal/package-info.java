/**
 * How answers are scored. Open {@link io.peft4j.eval.task.internal.AnswerScoring} first.
 */
package io.peft4j.eval.task.internal;
