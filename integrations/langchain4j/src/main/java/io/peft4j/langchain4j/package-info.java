/**
 * Base models and adapters behind LangChain4j's interfaces. Open {@link io.peft4j.langchain4j.PeftChatModel} first; the
 * others take a model the same way.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.langchain4j;
