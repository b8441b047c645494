package io.peft4j.jinja.support;

import java.util.Iterator;

/**
 * What lazy filters such as {@code map} and {@code select} give: it can be walked once, is always true and has no
 * length.
 */
record Generator(Iterator<Object> iterator) {
}
