/**
 * How the work gets to the executors. Open {@link io.peft4j.spark.internal.SharedModels} first: what all tasks of a JVM
 * have in common.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.spark.internal;
