/**
 * Kernels that run on oneDNN. Having this module on the class path is enough: core finds it by ServiceLoader.
 */
package io.peft4j.onednn;
