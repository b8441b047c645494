/**
 * Language models: finding and loading them, their tokenizers and chat templates, text generation. They know no
 * adapter method.
 */
package io.peft4j.models;
