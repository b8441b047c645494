/**
 * Calls of tools, as the models of each family write them. Open {@link io.peft4j.core.tool.ToolForm} first: it is found
 * by a chat template and reads answers, whole or while they grow ({@link io.peft4j.core.tool.AnswerReader}).
 */
@io.peft4j.core.Internal(shared = true)
@org.jspecify.annotations.NullMarked
package io.peft4j.core.tool;
