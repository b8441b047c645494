/**
 * Files. Open {@link io.peft4j.core.io.AtomicFiles} first: what is written goes to a temporary name and is moved.
 * {@link io.peft4j.core.io.FolderLock} keeps a folder to one process, {@link io.peft4j.core.io.MappedFile} reads large
 * files, {@link io.peft4j.core.io.Closer} closes what was opened until an owner is complete, and
 * {@link io.peft4j.core.io.IfExists} says what happens to files that are there already.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.io;
