/**
 * A base model with adapters, as an application uses it. Open {@link io.peft4j.core.peft.PeftModel} first;
 * {@link io.peft4j.core.peft.ModelStatus} says what it holds, and {@link io.peft4j.core.peft.MergeCheck} compares what
 * a merged model says. What an adapter is made from is in {@link io.peft4j.core.peft.config}, what a method of
 * fine-tuning implements in {@link io.peft4j.core.peft.method}, and what lies on disk in
 * {@link io.peft4j.core.peft.file}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.peft;
