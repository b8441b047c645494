/**
 * What trainings of several sizes and seeds reached: what more data is likely to bring, and how much a result owes to
 * chance. Open {@link io.peft4j.eval.study.TrainingStudy} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.eval.study;
