/**
 * PEFT4J on a cluster of Apache Spark. Open {@link io.peft4j.spark.PeftFunctions} first, which answers the rows of
 * DataFrames; {@link io.peft4j.spark.DataFrameCheck} checks data, {@link io.peft4j.spark.SparkSweep} compares
 * trainings, and {@link io.peft4j.spark.SparkTrainer} divides one among many machines.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.spark;
