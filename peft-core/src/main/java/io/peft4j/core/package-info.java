/**
 * The engine and the contracts that every other module builds on: arrays, kernels, autograd, layers, weight
 * files and adapters. It knows no other module. Each subpackage says what to open first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core;
