/**
 * Trainings that have run or run now, read from what they write into their output folders, and the pages made of them:
 *
 * <pre>{@code
 * TrainingRecord run = TrainingRecord.read(Path.of("handbook-adapter"));
 * new TrainingPage(run).write(Path.of("training.html"));
 * new RunComparison(List.of(run, TrainingRecord.read(Path.of("another")))).write(Path.of("compare.html"));
 * }</pre>
 *
 * <p>Open {@link io.peft4j.train.runs.TrainingRecord} first. Nothing here knows the trainer: what it says of a training
 * is in files.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.train.runs;
