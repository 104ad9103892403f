import { expect } from 'chai';
import { matchesName, monitors } from '../harness/index.js';
import { allScenarios } from './index.js';
import { knownDeviations } from './known-deviations.js';

describe('the known deviations', () => {
  for (const { check, scenarios = ['*'], stack, reason, link } of knownDeviations)
    describe(`of ${stack} in ${scenarios.join(', ')}: ${check}`, () => {
      for (const name of scenarios)
        it(`concerns a check that scenarios named ${name} have`, () => {
          const named = allScenarios.filter((scenario) => matchesName(scenario, name));
          const ids = [...named.flatMap(({ checks }) => checks), ...monitors].map(({ id }) => id);
          expect(named).to.not.have.length(0);
          expect(ids).to.include(check);
        });

      it('has a reason, and a link to a clause and to what the stack does', () => {
        expect(reason).to.match(/\w/);
        expect(link)
          .to.match(/RFC \d+/)
          .and.to.match(/;/);
      });
    });
});
