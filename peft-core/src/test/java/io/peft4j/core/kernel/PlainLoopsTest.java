package io.peft4j.core.kernel;

class PlainLoopsTest extends LoopsContract {
    @Override
    protected Loops create() {
        return new PlainLoops();
    }
}
