/**
 * The command line. It turns options into calls of the public API and holds no logic of its own.
 */
package io.peft4j.cli;
