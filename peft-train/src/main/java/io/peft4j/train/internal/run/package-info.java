/**
 * A training from its first update to the saved adapter. Open {@link io.peft4j.train.internal.run.TrainingRun} first,
 * which is the loop; {@code RunFolder} is what it leaves on disk.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.train.internal.run;
