/**
 * How workers divide a training. Open {@link io.peft4j.train.internal.parallel.SharedWork} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.train.internal.parallel;
