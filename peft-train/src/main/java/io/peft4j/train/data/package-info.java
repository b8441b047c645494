/** Examples from files to a training: open {@link io.peft4j.train.data.TrainingData} first. */
@io.peft4j.core.Internal(shared = true)
@org.jspecify.annotations.NullMarked
package io.peft4j.train.data;
