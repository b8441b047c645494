/**
 * The programs that the README and the docs show, run by the build.
 */
package io.peft4j.examples;
