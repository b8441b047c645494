/**
 * Cuts data into parts for training, validation and test. Open {@link io.peft4j.data.split.SplitRule} first,
 * then {@link io.peft4j.data.split.FileSplit}, which cuts a file into files.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.split;
