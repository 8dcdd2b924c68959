#pragma once
// The whole contract suite, for the one source file of a test program that instantiates it.
#include "common/log/contract_group_tests.h"
#include "common/log/contract_read_tests.h"
#include "common/log/contract_topic_tests.h"
#include "common/log/contract_transaction_tests.h"
#include "common/log/contract_write_tests.h"
