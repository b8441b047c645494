/**
 * What the methods of this library share beside the contract: the list of them ({@link
 * io.peft4j.core.peft.method.support.PeftMethods}), trained copies of layers, biases, tokens and heads of the base
 * ({@link io.peft4j.core.peft.method.support.TrainedCopies}, {@link io.peft4j.core.peft.method.support.TrainedTokens},
 * {@link io.peft4j.core.peft.method.support.TaskHeads}), looks into the base model ({@link
 * io.peft4j.core.peft.method.support.LayerProbe}), what merging changes ({@link
 * io.peft4j.core.peft.method.support.MergeDelta}), what the loss depends on ({@link
 * io.peft4j.core.peft.method.support.Sensitivity}), and values that are computed once ({@link
 * io.peft4j.core.peft.method.support.CachedValue}).
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.peft.method.support;
