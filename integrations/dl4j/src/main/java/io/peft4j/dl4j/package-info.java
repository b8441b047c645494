/**
 * LoRA, DoRA and IA3 for networks of DeepLearning4J. Open {@link io.peft4j.dl4j.Dl4jAdapters} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.dl4j;
