<?php

namespace Example;

final class Greeting
{
    public const TEXT = 'hello';
}
