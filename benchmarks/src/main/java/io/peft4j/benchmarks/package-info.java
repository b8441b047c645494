/**
 * JMH benchmarks of kernels and layers.
 */
package io.peft4j.benchmarks;
