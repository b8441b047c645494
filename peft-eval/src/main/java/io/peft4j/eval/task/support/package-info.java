/**
 * How answers are scored. Open {@link io.peft4j.eval.task.support.AnswerScoring} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.eval.task.support;
