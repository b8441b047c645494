/**
 * How a layer of DeepLearning4J runs with an adapter ({@link io.peft4j.dl4j.internal.RunningLayer}), what a method
 * makes of one weight ({@link io.peft4j.dl4j.internal.WeightUpdate}), and which weights a layer has
 * ({@link io.peft4j.dl4j.internal.LayerWeights}).
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.dl4j.internal;
