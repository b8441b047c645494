/**
 * What measures trainings and writes down how they go: {@link io.peft4j.train.support.TrainingBenchmark} runs the
 * trainer against the clock, {@link io.peft4j.train.support.MetricsJson} is a step as a line of {@code metrics.jsonl}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.train.support;
