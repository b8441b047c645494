/**
 * Cuts data into parts for training, validation and test. Open {@link io.peft4j.data.split.SplitRule} and
 * {@link io.peft4j.data.split.internal.DataSplit} first.
 */
package io.peft4j.data.split;
